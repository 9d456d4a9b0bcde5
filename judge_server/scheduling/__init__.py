"""Load control: admission, fair queues, single flight, and models behind a scheduler."""
