"""HTTP, the same for every operation: events, bodies, responses, problems, conditions, pages."""
