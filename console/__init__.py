"""The officers' web console and the REST API. It renders and calls the services of `cases`; it never decides."""
