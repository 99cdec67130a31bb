"""The command `uhi`: parse, call one function, print."""
