"""Durable batches over the scorer: claimed from the store, judged item by item, resumed by whoever comes next."""
