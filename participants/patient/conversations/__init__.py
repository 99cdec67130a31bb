"""Conversations of patients with their doctors."""
