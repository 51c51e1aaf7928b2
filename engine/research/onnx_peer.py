"""Networks in ONNX Runtime: graphs written out by hand, from the weights that the other contenders have too.

Inputs, outputs and the carried state stay in arrays that are bound once; of the state there are two, read and written
by turns. So nothing but the new input is copied in, and the output out.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from torch import Tensor, nn

from engine.forecast.model import Net
from engine.forecast.parameters import BANDS, LAYERS, OUTPUTS
from engine.research.svi_peers import package

Array = NDArray[np.float32]
Shape = tuple[int, ...]
Step = Callable[[Array], Array]
OPSET, FORMAT = 17, 8  # of the operators, of the file
GATES = [0, 3, 1, 2]  # ONNX has input, output, forget, cell where torch has input, forget, cell, output


class Graph:
    """Nodes one after the other."""

    def __init__(self, onnx: Any) -> None:
        self._onnx = onnx
        self._nodes: list[Any] = []
        self._constants: list[Any] = []

    def constant(self, value: NDArray[Any]) -> str:
        name = f"constant{len(self._constants)}"
        self._constants.append(self._onnx.numpy_helper.from_array(np.ascontiguousarray(value), name))
        return name

    def whole(self, *numbers: int) -> str:
        return self.constant(np.array(numbers, np.int64))

    def add(self, kind: str, inputs: Sequence[str], outputs: Sequence[str], **attributes: Any) -> None:
        self._nodes.append(self._onnx.helper.make_node(kind, list(inputs), list(outputs), **attributes))

    def one(self, kind: str, inputs: Sequence[str], **attributes: Any) -> str:
        """A node with one output, which gets a name."""
        name = f"node{len(self._nodes)}"
        self.add(kind, inputs, [name], **attributes)
        return name

    def through(self, layers: Iterable[nn.Module], below: str) -> str:
        """Convolutions, pooling and what stands between them."""
        for layer in layers:
            if isinstance(layer, nn.Conv2d):
                given = [below, self.tensor(layer.weight), self.tensor(layer.bias)]
                below = self.one("Conv", given, strides=layer.stride, **_reach(layer))
            elif isinstance(layer, nn.MaxPool2d):
                below = self.one("MaxPool", [below], strides=[1, 1], **_reach(layer))
            else:
                below = self.one("LeakyRelu", [below], alpha=layer.negative_slope)
        return below

    def lstm(self, module: nn.LSTM, layer: int, below: str, state: Sequence[str] = ("", "")) -> str:
        """One layer on (T, B, F): its last h (1, B, H). A state that is carried comes in by these names, and goes out
        by the same with `_` behind."""
        size = module.hidden_size
        inward, back, *biases = (
            getattr(module, f"{kind}_l{layer}").detach().reshape(4, size, -1)[GATES].reshape(1, 4 * size, -1)
            for kind in ("weight_ih", "weight_hh", "bias_ih", "bias_hh")
        )
        bias = np.concatenate([each.numpy()[..., 0] for each in biases], axis=1)  # (1, 8 H)
        given = [below, self.tensor(inward), self.tensor(back), self.constant(bias)]
        out = [f"{name}_" for name in state] if all(state) else [f"node{len(self._nodes)}"]
        self.add("LSTM", [*given, "", *state] if all(state) else given, ["", *out], hidden_size=size)
        return out[0]

    def tensor(self, value: Tensor | None) -> str:
        assert value is not None, "every layer here has a bias"
        return self.constant(value.detach().numpy())

    def packed(self, inputs: Mapping[str, Shape], outputs: Mapping[str, Shape]) -> bytes:
        """The model as a file; shapes of what goes in and comes out, by name."""
        helper, kind = self._onnx.helper, self._onnx.TensorProto.FLOAT
        told = [[helper.make_tensor_value_info(name, kind, shape) for name, shape in some.items()]
                for some in (inputs, outputs)]  # fmt: skip
        graph = helper.make_graph(self._nodes, "peer", *told, self._constants)
        model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", OPSET)], ir_version=FORMAT)
        self._onnx.checker.check_model(model)
        data: bytes = model.SerializeToString()
        return data


def _reach(layer: Any) -> dict[str, Any]:
    return {"kernel_shape": layer.kernel_size, "pads": [*layer.padding, *layer.padding]}


class Bound:
    """A session on one thread whose inputs and outputs are these arrays, which it keeps alive."""

    def __init__(self, runtime: Any, model: bytes, given: Shape, made: Shape, state: Mapping[str, Shape]) -> None:
        options = runtime.SessionOptions()
        options.intra_op_num_threads = options.inter_op_num_threads = 1
        self._session = runtime.InferenceSession(model, options, providers=["CPUExecutionProvider"])
        self._x, self._out = np.zeros(given, np.float32), np.zeros(made, np.float32)
        self._states = [{name: np.zeros(shape, np.float32) for name, shape in state.items()} for _ in range(2)]
        self._bindings = [self._binding(before, after) for before, after in (self._states, self._states[::-1])]

    def step(self, x: Array) -> Array:
        self._x[...] = x
        self._session.run_with_iobinding(self._bindings[0])
        self._bindings.reverse()
        return self._out.copy()

    def _binding(self, before: Mapping[str, Array], after: Mapping[str, Array]) -> Any:
        binding = self._session.io_binding()
        for name, value in {"x": self._x, **before}.items():
            binding.bind_input(name, "cpu", 0, np.float32, value.shape, value.ctypes.data)
        for name, value in {"out": self._out, **{f"{name}_": value for name, value in after.items()}}.items():
            binding.bind_output(name, "cpu", 0, np.float32, value.shape, value.ctypes.data)
        return binding


def bound(nodes: Callable[[Graph], None], given: Shape, made: Shape, state: dict[str, Shape]) -> Step | None:
    """The step of a graph that `nodes` writes, from `x` of this shape to `out` of that; None without the packages."""
    onnx, runtime = package("onnx"), package("onnxruntime")
    if onnx is None or runtime is None:
        return None
    graph = Graph(onnx)
    nodes(graph)
    model = graph.packed({"x": given} | state, {"out": made} | {f"{name}_": shape for name, shape in state.items()})
    return Bound(runtime, model, given, made, state).step


def lstm_step(net: Net, count: int) -> Step | None:
    """One step of our network for so many instruments."""
    state: dict[str, Shape] = {f"{part}{layer}": (1, count, net.hidden) for layer in range(LAYERS) for part in "hc"}
    return bound(lambda graph: _step(graph, net), (count, net.lstm.input_size), (count, OUTPUTS), state)


def _step(graph: Graph, net: Net) -> None:
    below = graph.one("Unsqueeze", ["x", graph.whole(0)])  # (1, B, F): a sequence of one
    for layer in range(LAYERS):
        below = graph.lstm(net.lstm, layer, below, (f"h{layer}", f"c{layer}"))
    both = graph.one("Concat", [graph.one("Squeeze", [below, graph.whole(0)]), "x"], axis=1)
    raw = graph.one("Gemm", [both, graph.tensor(net.head.weight), graph.tensor(net.head.bias)], transB=1)
    upward, sums = np.zeros(OUTPUTS, bool), np.eye(OUTPUTS, dtype=np.float32)
    for at in BANDS:  # quantiles rise: softplus, then a product with ones below the diagonal
        upward[at + 1 : at + 3] = True
        sums[at, at + 1 : at + 3] = sums[at + 1, at + 2] = 1.0
    risen = graph.one("Where", [graph.constant(upward), graph.one("Softplus", [raw]), raw])
    graph.add("MatMul", [risen, graph.constant(sums)], ["out"])
