"""The project's quantisers as Brevitas injectors and proxies."""

from __future__ import annotations

from collections.abc import Callable

from brevitas.inject import ExtendedInjector, value
from brevitas.proxy import ActQuantProxyFromInjector, WeightQuantProxyFromInjector
from torch import Tensor

from codesign.quant.bipolar import BipolarQuantiser
from codesign.quant.config import QuantConfig
from codesign.quant.first_step import FIRST_STEPS
from codesign.quant.methods import Method, method
from codesign.quant.pixels import PixelQuantiser
from codesign.quant.quantiser import Quantiser

# Signed activations of methods that have none.
SIGNED = method("fixed")


class WeightProxy(WeightQuantProxyFromInjector):
    """Keeps its quantiser when weights or a state dict are loaded, so optimisers stay attached.

    While training it returns a plain tensor: Brevitas's QuantTensor costs more than small layers.
    """

    def init_tensor_quant(self, preserve_state_dict: bool = False) -> None:
        if self.tensor_quant is None:
            super().init_tensor_quant(preserve_state_dict)

    def forward(self, x: Tensor) -> Tensor:
        if self.training and self.is_quant_enabled and not self.export_mode:
            return self.tensor_quant.train_through(x)
        return super().forward(x)

    @property
    def quantiser(self) -> Quantiser:
        """The tensor quantiser."""
        return self.tensor_quant


class ActProxy(ActQuantProxyFromInjector):
    """Activation twin of WeightProxy."""

    def init_tensor_quant(self) -> None:
        if getattr(self, "fused_activation_quant_proxy", None) is None:
            super().init_tensor_quant()

    def forward(self, x: Tensor) -> Tensor:
        if self.training and self.is_quant_enabled and not self.export_mode:
            return self.quantiser.train_through(x)
        return super().forward(x)

    @property
    def quantiser(self) -> Quantiser:
        """The tensor quantiser."""
        return self.fused_activation_quant_proxy.tensor_quant


def weight_injector(
    config: QuantConfig, layer: str, shape: tuple[int, ...], reads_input: bool = False
) -> type:
    """Brevitas injector of the weights of `layer`; `shape` of their step: () or (C, 1, ..)."""
    bits, power = config.weight_bits_of(layer), config.power_of_two_step
    chosen = config.weight_method_of(layer)
    if bits == 1 and 1 not in chosen.weight_bits:
        return _injector(WeightProxy, True, BipolarQuantiser, 1, True, True, power, shape)
    make = _configured(chosen, config.weight_gradient, config.first_grid)
    if chosen.bounds_sums:
        inputs = config.input_bits if reads_input else config.widest_act_bits
        make = _bounded(make, config.accumulator_bits, inputs)
    return _injector(WeightProxy, True, make, bits, True, True, power, shape)


def act_injector(
    config: QuantConfig, layer: str, signed: bool = False, least_bits: int = 1
) -> type:
    """Brevitas injector of the activations of `layer`; 1 bit may be bipolar, as the config says."""
    bits, power = max(least_bits, config.act_bits_of(layer)), config.power_of_two_step
    chosen = config.act_method_of(layer)
    chosen = SIGNED if signed and not chosen.signed_acts else chosen
    if bits == 1 and (signed or config.binary_act == "bipolar" or chosen.only_signs):
        return _injector(ActProxy, True, BipolarQuantiser, 1, False, True)
    make = _configured(chosen, config.act_gradient, config.first_grid)
    return _injector(ActProxy, signed, make, bits, False, signed, power, ())


def pixel_injector(config: QuantConfig, input_max: int) -> type:
    """Brevitas injector of the input quantiser for raw integers 0..input_max."""
    return _injector(ActProxy, False, PixelQuantiser, config.input_bits, input_max)


def _configured(chosen: Method, gradient: str, first_grid: str) -> Callable[..., Quantiser]:
    """`chosen.make`, with the gradient and the first grid of learned grids."""

    def make(*arguments: object) -> Quantiser:
        quantiser = chosen.make(*arguments)
        if chosen.learns_grid:
            quantiser.gradient = gradient
            quantiser.first_step = FIRST_STEPS[first_grid](quantiser.is_weight)
        return quantiser

    return make


def _bounded(
    make: Callable[..., Quantiser], sum_bits: int, input_bits: int
) -> Callable[..., Quantiser]:
    """`make`, with sums kept within `sum_bits` for inputs of `input_bits`."""

    def bounded(*arguments: object) -> Quantiser:
        quantiser = make(*arguments)
        quantiser.bound(sum_bits, input_bits)
        return quantiser

    return bounded


def _injector(
    proxy: type, is_signed: bool, make: Callable[..., Quantiser], *arguments: object
) -> type:
    class QuantiserInjector(ExtendedInjector):
        proxy_class = proxy
        signed = is_signed
        narrow_range = is_signed
        float_to_int_impl_type = "ROUND"

        @value
        def tensor_quant() -> Quantiser:
            return make(*arguments)

    return QuantiserInjector
