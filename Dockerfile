# The whole project in a container. CPU by default; for a GPU:
#   docker build --build-arg TORCH_INDEX=https://download.pytorch.org/whl/cu128 -t talkin-gpu .
#   docker run --gpus all ...
# Written where no container could be built: nobody has run this file yet.
FROM python:3.11-slim-bookworm
ARG TORCH_INDEX=https://download.pytorch.org/whl/cpu
RUN apt-get update && apt-get install --yes --no-install-recommends \
      git libgl1 libglib2.0-0 libxcb1 make && rm -rf /var/lib/apt/lists/*
WORKDIR /talkin
COPY pyproject.toml constraints.txt README.md LICENSE ./
COPY src ./src
RUN torch="$(grep '^torch==' constraints.txt)" \
 && pip install --no-cache-dir "$torch" --index-url "$TORCH_INDEX" \
 && pip install --no-cache-dir -c constraints.txt -e '.[project,demo]'
COPY . .
ENV DO_NOT_TRACK=1 MLFLOW_DISABLE_TELEMETRY=true MLFLOW_ALLOW_PICKLE_DESERIALIZATION=false
RUN useradd --create-home talkin && chown -R talkin /talkin
USER talkin
RUN talkin fetch-nets
CMD ["talkin", "--help"]
