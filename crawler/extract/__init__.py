"""Reading a page: listings, regions, reviews, and who answers for them."""

from crawler.extract.reading import describe, read_page

__all__ = ["describe", "read_page"]
