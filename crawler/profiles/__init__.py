"""Site profiles: what a person knows of a site or a shop program, as YAML; it adds to the general reading, it never replaces it."""

from crawler.profiles.profile import Profile, Profiles, load_profile, shipped

__all__ = ["Profile", "Profiles", "load_profile", "shipped"]
