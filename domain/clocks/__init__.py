"""Time promised to clients: policies, the life of a dialog as far as time goes, clocks, and why they are due."""
