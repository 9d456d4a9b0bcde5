"""Pages for people: the same services as the routes, as HTML that needs no script."""
