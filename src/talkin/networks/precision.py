"""Whether a device multiplies bfloat16 in hardware: elsewhere it is slower than float32."""

import torch


def has_fast_bfloat16(device: torch.device) -> bool:
    """True for GPUs since Ampere and for CPUs with AVX-512 BF16 or AMX."""
    if device.type == "cuda":
        return torch.cuda.is_bf16_supported(including_emulation=False)
    if device.type == "cpu":
        return torch.cpu._is_avx512_bf16_supported() or torch.cpu._is_amx_tile_supported()
    return False
