"""The implementation of the commands; their flags are in the files of cli/."""
