"""What a definition may do: one manifest an action, checked when a definition is written and when it runs."""
