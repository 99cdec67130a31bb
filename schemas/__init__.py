"""The contract for other languages: JSON Schemas of the messages, generated from their models."""
