"""The tests mirror the modules of judge_server; what several of them share stands in tests/support."""
