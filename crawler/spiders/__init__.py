"""Scrapy's spiders: one, which takes its addresses from the frontier."""
