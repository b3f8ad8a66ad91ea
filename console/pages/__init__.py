"""One module a screen: what it asks of the services, and the template it fills."""
