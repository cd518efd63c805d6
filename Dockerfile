# The whole project in a container. PyTorch's build for Linux runs on CPU and GPU alike; for a GPU:
#   docker run --gpus all ...
# Written where no container could be built: nobody has run this file yet. What was tried on Debian 12
# is that apt finds the packages and that pip resolves the line below in an empty environment.
FROM python:3.11-slim-bookworm
RUN apt-get update && apt-get install --yes --no-install-recommends \
      git libgl1 libglib2.0-0 libxcb1 make && rm -rf /var/lib/apt/lists/*
WORKDIR /talkin
COPY pyproject.toml constraints.txt README.md LICENSE ./
COPY src ./src
RUN pip install --no-cache-dir -c constraints.txt -e '.[project,demo]'
COPY . .
ENV DO_NOT_TRACK=1 DVC_NO_ANALYTICS=1 KEDRO_DISABLE_TELEMETRY=1 \
    MLFLOW_DISABLE_TELEMETRY=true MLFLOW_ALLOW_PICKLE_DESERIALIZATION=false
RUN useradd --create-home talkin && chown -R talkin /talkin
USER talkin
RUN talkin fetch-nets
CMD ["talkin", "--help"]
