# Two commands on a fresh machine: make demo, make test. Each does its own set-up.
PYTHON ?= python3
BIN := .venv/bin
JOBS ?= 2

.PHONY: help setup demo test test-long check lock screens

help:
	@echo "make demo        装好一切,启动示例市场,巡查,列出线索,打开控制台 (ARGS=--once 跑完即停)"
	@echo "make test        装好一切,运行全部测试"
	@echo "make test-long   长测试:百万行、多次断电、无障碍全查、重放"
	@echo "make check       格式、类型、导入方向、规则检查"
	@echo "make setup       只做准备;无变化时立即返回 (FORCE=1 重做)"
	@echo "make screens     重拍文档截图"
	@echo "make lock        维护者:重新锁定依赖 (需要 uv 与 npm)"

setup:
	@$(PYTHON) scripts/setup.py $(if $(FORCE),--force)

demo: setup
	@$(BIN)/python -m wangxun.demo $(ARGS)

test: setup
	$(BIN)/python -m pytest -m "not long" -n $(JOBS) --dist loadfile $(ARGS)

test-long: setup
	$(BIN)/python -m pytest -m long $(ARGS)

check: setup
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/wangxun rules lint

screens: setup
	@$(BIN)/python -m wangxun.demo --once --screens docs/images

lock:
	uv pip compile requirements/build.in --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-header --no-annotate -q -o requirements/build.txt
	uv pip compile requirements/node.in --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-header --no-annotate -q -o requirements/node.txt
	uv pip compile pyproject.toml --extra dev --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-header --no-annotate -q -o requirements/lock.txt
	cd console && npm install --package-lock-only --ignore-scripts --omit-lockfile-registry-resolved
