"""Turns the packaged MiniLM into a small OpenVINO model, once, in a process of its own.

Run as `python -m knowledge.embedding_build MODEL_FOLDER TARGET.xml`. Converting needs torch and nncf
(700 MB, five seconds); serving needs neither, which is why this is not a function of embedding.py.
Only the weights are stored as 8-bit integers: activations stay float, and the vectors keep a cosine
of more than .99 with the originals.
"""

import os
import sys
from pathlib import Path

# OpenVINO and nncf report usage to a third party unless their telemetry module is absent (trap M17).
sys.modules["openvino_telemetry"] = None  # type: ignore[assignment]


def build(folder: Path, target: Path) -> None:
    """Write TARGET.xml and TARGET.bin; the .xml appears last and at once, so a killed build leaves nothing half-made."""
    import nncf  # noqa: PLC0415
    import openvino  # noqa: PLC0415
    import torch  # noqa: PLC0415
    from transformers import AutoModel  # noqa: PLC0415

    network = AutoModel.from_pretrained(folder, local_files_only=True, use_safetensors=True, attn_implementation="eager")
    network.eval()
    example = {name: torch.ones((2, 16), dtype=torch.int64) for name in ("input_ids", "attention_mask")}
    with torch.no_grad():
        converted = openvino.convert_model(network, example_input=example)
    compressed = nncf.compress_weights(converted, mode=nncf.CompressWeightsMode.INT8_SYM)
    target.parent.mkdir(parents=True, exist_ok=True)
    unfinished = target.with_name(f"unfinished-{os.getpid()}.xml")
    openvino.save_model(compressed, unfinished)
    unfinished.with_suffix(".bin").replace(target.with_suffix(".bin"))
    unfinished.replace(target)


if __name__ == "__main__":
    build(Path(sys.argv[1]), Path(sys.argv[2]))
