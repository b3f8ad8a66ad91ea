"""The browser: started behind the guard, used where a page shows nothing without its scripts."""
