# One image for every role: `server` (default), `worker`, `migrate`, `seed`, and `up` for all in one container.
ARG BASE=python:3.11-slim
FROM ${BASE}

ENV PATH=/opt/venv/bin:$PATH \
    PYTHONUNBUFFERED=1 \
    SWITCHBOARD_HOST=0.0.0.0 \
    SWITCHBOARD_DATA_DIR=/var/lib/switchboard

RUN useradd --uid 10001 --create-home switchboard \
 && install -d -o switchboard -g switchboard /var/lib/switchboard

WORKDIR /opt/switchboard

# The lock before the code: a change of code does not install everything again.
COPY requirements.lock ./
RUN python3 -m venv /opt/venv \
 && pip install --no-cache-dir --disable-pip-version-check --no-deps --require-hashes -r requirements.lock

COPY . .
RUN pip install --no-cache-dir --disable-pip-version-check --no-deps --no-build-isolation -e .

USER switchboard
VOLUME /var/lib/switchboard
EXPOSE 8080
HEALTHCHECK --interval=10s --timeout=5s --start-period=30s --retries=3 \
  CMD ["python3", "-c", "import urllib.request; urllib.request.urlopen('http://127.0.0.1:8080/readyz', timeout=4)"]
ENTRYPOINT ["switchboard"]
CMD ["server"]
