"""Definitions of processes and macros: text → canonical document → closed shape → checked."""
