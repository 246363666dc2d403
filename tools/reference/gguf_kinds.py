"""Makes a GGUF file with matrices of one kind (F32, Q8_0, Q4_0, Q4_1) and an embedding of one from another file, for `npm
run bench -- llm`.

Needs gguf. Run: python tools/reference/gguf_kinds.py FROM.gguf TO.gguf KIND EMBEDDING
"""

import sys

import gguf

FILE_TYPES = {
    "F32": gguf.LlamaFileType.ALL_F32,
    "Q8_0": gguf.LlamaFileType.MOSTLY_Q8_0,
    "Q4_0": gguf.LlamaFileType.MOSTLY_Q4_0,
    "Q4_1": gguf.LlamaFileType.MOSTLY_Q4_1,
}
# The writer writes these itself.
OWN = ("general.architecture", "general.file_type", "general.quantization_version")


def main(source: str, target: str, kind: str, embedding: str) -> None:
    reader = gguf.GGUFReader(source)
    writer = gguf.GGUFWriter(target, reader.fields["general.architecture"].contents())
    for name, field in reader.fields.items():
        if name in OWN or name.startswith("GGUF."):
            continue
        of = field.types[-1] if field.types[0] == gguf.GGUFValueType.ARRAY else None
        writer.add_key_value(name, field.contents(), field.types[0], of)
    writer.add_file_type(FILE_TYPES[kind])
    writer.add_quantization_version(gguf.GGML_QUANT_VERSION)
    others, first = gguf.GGMLQuantizationType[kind], gguf.GGMLQuantizationType[embedding]
    for tensor in reader.tensors:
        data = gguf.quants.dequantize(tensor.data, tensor.tensor_type)
        wanted = first if tensor.name == "token_embd.weight" else others
        of = gguf.GGMLQuantizationType.F32 if data.ndim == 1 else wanted
        # The shape is that of the bytes, which the writer turns into that of the elements.
        writer.add_tensor(tensor.name, gguf.quants.quantize(data, of), raw_dtype=of)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


if __name__ == "__main__":
    main(*sys.argv[1:])
