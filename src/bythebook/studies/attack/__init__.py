"""The attack battery: known tricks against every reward, and a search for unknown ones."""
