"""llama.cpp beside our decoder, for `npm run bench -- llm`: reads requests and answers them, both as lines of JSON.

Needs llama-cpp-python. `--quantize FROM TO KIND EMBEDDING` makes a file with matrices of another kind (F32, Q8_0, Q4_0,
Q4_1) and an embedding of another (F32, Q8_0), and ends.
"""

import argparse
import json
import sys
import time

import llama_cpp

FILE_TYPES = {"F32": 0, "Q4_0": 2, "Q4_1": 3, "Q8_0": 7}
TENSOR_TYPES = {"F32": 0, "Q8_0": 8}


def quantize(source: str, target: str, kind: str, embedding: str) -> None:
    parameters = llama_cpp.llama_model_quantize_default_params()
    parameters.ftype = FILE_TYPES[kind]
    parameters.token_embedding_type = TENSOR_TYPES[embedding]
    parameters.allow_requantize = True
    # llama.cpp would choose by itself which matrices have more bits.
    parameters.pure = True
    if llama_cpp.llama_model_quantize(source.encode(), target.encode(), parameters) != 0:
        raise SystemExit(f"llama.cpp cannot make {kind} of {source}")


def serve(model: str, threads: int, context: int) -> None:
    llama = llama_cpp.Llama(
        model_path=model, n_ctx=context, n_batch=512, n_ubatch=512, n_threads=threads, n_threads_batch=threads,
        verbose=False,
    )
    print(json.dumps({"engine": f"llama-cpp-python {llama_cpp.__version__}"}), flush=True)
    for line in sys.stdin:
        asked = json.loads(line)
        count = asked["count"]
        llama.reset()
        if asked["request"] == "decode":
            llama.eval([100 + at for at in range(16)])
            start = time.perf_counter()
            for at in range(count):
                llama.eval([200 + at])
        else:
            start = time.perf_counter()
            llama.eval([100 + at % 1000 for at in range(count)])
        print(json.dumps({"milliseconds": (time.perf_counter() - start) * 1000}), flush=True)


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--quantize", nargs=4, metavar=("FROM", "TO", "KIND", "EMBEDDING"))
    parser.add_argument("--model")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--context", type=int, default=1024)
    options = parser.parse_args()
    if options.quantize:
        quantize(*options.quantize)
    else:
        serve(options.model, options.threads, options.context)
