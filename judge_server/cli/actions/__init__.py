"""The work behind the commands; flags stand in the files of cli/."""
