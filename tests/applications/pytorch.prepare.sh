# The build for processors only; the other one is several gigabytes. TORCH_INDEX names an index that has it, if pip's own do not.
"$PYTHON" -m pip install -q --target site --only-binary :all: ${TORCH_INDEX:+--extra-index-url "$TORCH_INDEX"} torch==2.13.0+cpu numpy
