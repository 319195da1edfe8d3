"""Videos to sampled frames and sound, in processes of their own; free of torch.

What an encoder needs of it: `find_front_end`, `DecodingTask`, `DecodingPool`, `decode_clip`.
"""
