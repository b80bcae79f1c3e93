"""The whole accelerator: five parts, and what they cost."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from html import escape
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, Field, PrivateAttr, Strict, ValidationError, field_validator, model_validator

from accel.spec.base import Megahertz, Part, Positive
from accel.spec.controller import Controller
from accel.spec.data_buffer import DataBuffer
from accel.spec.dma import Dma
from accel.spec.errors import first_problem, unknown_field
from accel.spec.formats import CodecName
from accel.spec.pe_array import PEArray
from accel.spec.vector_unit import VectorUnit
from accel.spec.weight_buffer import WeightBuffer
from accel.tables import content_digest, require_energy
from workloads.errors import InputError

DataflowName = Literal[
    "row_stationary",
    "weight_stationary",
    "output_stationary",
    "input_stationary",
    "no_local_reuse",
    "input_broadcast",
    "planar_tiled",
    "channel_parallel",
    "window_parallel",
    "windowed",
    "windowed_rows",
]


class Energy(Part):
    """Which table turns counts into picojoules."""

    table: str
    """Name of a table in accel/tables, or the path of a .toml file like those."""

    @field_validator("table")
    @classmethod
    def _known_table(cls, name: str) -> str:
        require_energy(name)
        return name


class MappingChoice(Part):
    """Which dataflows the automatic mapping tries."""

    dataflows: Annotated[tuple[DataflowName, ...], Strict(False), Field(min_length=1)] = (
        "weight_stationary",
        "output_stationary",
        "input_stationary",
    )


def _table_of_the_node(fields: dict[str, Any]) -> Energy:
    return Energy.model_construct(table=f"{fields.get('technology_nm', 45.0):g}nm")


class Accelerator(Part):
    """A specification that is valid from birth; a variant is made by `with_values`."""

    name: str
    citation: str = ""
    technology_nm: Positive = 45.0
    clock_mhz: Megahertz
    data_buffer: DataBuffer
    weight_buffer: WeightBuffer
    pe_array: PEArray
    controller: Controller = Controller()
    dma: Dma
    vector_unit: VectorUnit = VectorUnit()
    energy: Energy = Field(default_factory=_table_of_the_node)
    """When not given: the table named after `technology_nm`."""
    mapping: MappingChoice = MappingChoice()
    # Accelerators that name the same file are equal only if it has the same content.
    _tables: tuple[str, str] = PrivateAttr(("", ""))

    @property
    def tables(self) -> tuple[str, str]:
        """Digests of the files that `energy.table` and `dma.dram` were when this was made; empty where not files."""
        return self._tables

    @classmethod
    def from_values(cls, values: Mapping[str, Any], *, source: str | Path | None = None) -> Accelerator:
        """The accelerator of nested tables as TOML gives them. Raises InputError, one line, for the first problem."""
        try:
            return cls.model_validate(dict(values))
        except ValidationError as error:
            raise InputError(first_problem(error, cls), source=source) from None

    def with_values(self, changes: Mapping[str, Any]) -> Accelerator:
        """A validated copy with some fields changed, named by their path: `{"pe_array.rows": 16}`.

        Fields that were derived (ports, energy table) are derived again. Raises InputError for an unknown field or
        a value that does not fit.
        """
        values: dict[str, Any] = self.model_dump(exclude_unset=True)
        for path, value in changes.items():
            _require_field(type(self), path)
            *tables, field = path.split(".")
            place = values
            for depth, table in enumerate(tables):
                if table not in place:
                    place[table] = _given(self, tables[: depth + 1])
                place = place[table]
            place[field] = value
        return type(self).from_values(values, source=self.name)

    def _repr_html_(self) -> str:
        from accel.spec.load import dump

        return f"<pre>{escape(dump(self))}</pre>"

    def model_post_init(self, context: Any, /) -> None:
        self._tables = (content_digest(self.energy.table), content_digest(self.dma.dram))

    @model_validator(mode="after")
    def _energy_table_exists(self) -> Accelerator:
        if "energy" not in self.model_fields_set:
            try:
                require_energy(self.energy.table)
            except ValueError as error:
                problem = f"technology_nm = {self.technology_nm:g}: no table of that node, give energy.table ({error})"
                raise ValueError(problem) from None
        return self

    @property
    def held_formats(self) -> tuple[CodecName, CodecName, CodecName]:
        """By operand, the format in which the buffers hold it; outputs once they are finished."""
        maps = self.data_buffer.format
        weights = self.dma.codec.weight if self.weight_buffer.compressed else self.weight_buffer.format
        return maps, weights, maps

    @model_validator(mode="after")
    def _coded_weights_are_read_as_coded(self) -> Accelerator:
        buffer = self.weight_buffer
        if buffer.compressed and self.dma.codec.weight == "none":
            raise ValueError('weight_buffer.compressed = true: needs dma.codec.weight, which is "none"')
        if buffer.compressed and buffer.format != "none":
            raise ValueError(f'weight_buffer.format = "{buffer.format}": compressed = true says it is that off chip')
        what = "compressed = true" if buffer.compressed else f'format = "{buffer.format}"'
        self._require_readable(f"weight_buffer.{what}", "weight")
        return self

    @model_validator(mode="after")
    def _coded_maps_are_read_as_coded(self) -> Accelerator:
        if self.data_buffer.format == "codebook":
            raise ValueError('data_buffer.format = "codebook": maps are computed, only weights come from a table')
        self._require_readable(f'data_buffer.format = "{self.data_buffer.format}"', "input")
        return self

    def _require_readable(self, what: str, operand: Literal["input", "weight"]) -> None:
        held = self.held_formats[0 if operand == "input" else 1]
        if held == "none":
            return
        if held == "huffman":
            raise ValueError(f"{what}: Huffman codes can be read only from their start, keep them off chip")
        if held == "codebook" and not self.dma.formats.codebook_bits:
            raise ValueError(f"{what}: needs dma.formats.codebook_bits from 1 up")
        if getattr(self.pe_array.zero_handling, operand) != "skip":
            raise ValueError(f'{what}: needs pe_array.zero_handling.{operand} = "skip", which reads what is coded')

    @model_validator(mode="after")
    def _ports_within_buffers(self) -> Accelerator:
        if "ports" not in self.pe_array.model_fields_set:
            return self
        ports = self.pe_array.ports
        shared = self.data_buffer.accumulator_kib == 0
        for name, port_bits, part, buffer in (
            ("input", ports.input, "data_buffer", self.data_buffer),
            ("psum", ports.psum if shared else 0, "data_buffer", self.data_buffer),
            ("output", ports.output if shared else 0, "data_buffer", self.data_buffer),
            ("weight", ports.weight, "weight_buffer", self.weight_buffer),
        ):
            limit = buffer.width_bits * buffer.banks
            if port_bits > limit:
                raise ValueError(
                    f"pe_array.ports.{name} = {port_bits}: at most {limit}, "
                    f"{part}.banks x {part}.width_bits = {buffer.banks} x {buffer.width_bits}"
                )
        return self


def _given(spec: BaseModel, tables: Iterable[str]) -> dict[str, Any]:
    """The values of a table that was left to its default, so that one of its fields can be changed."""
    part: Any = spec
    for table in tables:
        part = getattr(part, table)
    values: dict[str, Any] = part.model_dump()
    return values


def _require_field(model: type[BaseModel], path: str) -> None:
    """Raises InputError when `path` names no field, or names a table instead of a field in it."""
    at: type[BaseModel] | None = model
    for name in path.split("."):
        if at is None or name not in at.model_fields:
            raise InputError(unknown_field(path, model))
        annotation = at.model_fields[name].annotation
        at = annotation if isinstance(annotation, type) and issubclass(annotation, BaseModel) else None
    if at is not None:
        fields = ", ".join(f"{path}.{name}" for name in at.model_fields)
        raise InputError(f'"{path}" is a table: name one of its fields, {fields}')
