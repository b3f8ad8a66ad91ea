"""Words inside pictures: bounded decoding, text recognition, bar codes, a perceptual hash, and the queue of pictures to read.

Recognising one picture costs as much as reading thousands of pages, so it never stands in the way of a patrol:
the patrol only notes which pictures a page shows, and `PictureQueue.work` reads them afterwards.
"""

from crawler.pictures.decode import Limits
from crawler.pictures.picture import PictureText, read_picture
from crawler.pictures.queue import PictureQueue

__all__ = ["Limits", "PictureQueue", "PictureText", "read_picture"]
