"""What HTTP asks of every operation: events, bodies, responses, problems, conditions, pages."""
