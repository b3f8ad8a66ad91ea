"""巡查 — where to go, how fast, how to fetch and render. The door is `crawler.patrol.patrol`."""
