"""Clocks of dialogs as rows: following facts, settling what is due, moving what runs to a new promise."""
