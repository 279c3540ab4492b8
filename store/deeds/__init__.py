"""What the local actions of definitions do, each through the same functions as the commands of the API."""
