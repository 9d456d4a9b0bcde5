"""The one path from a submission to a judgment: plan, cache, schedule, ask, aggregate, remember."""
