#include "values.h"

#include <ATen/core/Generator.h>
#include <ATen/core/List.h>
#include <ATen/core/jit_type.h>
#include <ATen/ops/scalar_tensor.h>

#include <cstdlib>
#include <cstring>

namespace mt {

Argument classify(const c10::Argument& argument) {
  Argument result;
  result.name = argument.name();
  c10::TypePtr type = argument.type();
  if (auto optional = type->cast<c10::OptionalType>()) {
    result.optional = true;
    type = optional->getElementType();
  }
  if (argument.N()) result.fixed_length = *argument.N();
  if (argument.default_value()) {
    result.has_default = true;
    result.default_value = *argument.default_value();
  }
  switch (type->kind()) {
    case c10::TypeKind::TensorType: result.kind = Kind::Tensor; break;
    case c10::TypeKind::IntType:
    case c10::TypeKind::SymIntType: result.kind = Kind::Int; break;
    case c10::TypeKind::FloatType: result.kind = Kind::Float; break;
    case c10::TypeKind::BoolType: result.kind = Kind::Bool; break;
    case c10::TypeKind::NumberType: result.kind = Kind::Scalar; break;
    case c10::TypeKind::StringType: result.kind = Kind::String; break;
    case c10::TypeKind::DeviceObjType: result.kind = Kind::Device; break;
    case c10::TypeKind::GeneratorType: result.kind = Kind::Generator; break;
    case c10::TypeKind::ListType: {
      auto element = type->castRaw<c10::ListType>()->getElementType();
      if (element->cast<c10::OptionalType>()) {
        result.kind = Kind::OptionalTensors;
        break;
      }
      switch (element->kind()) {
        case c10::TypeKind::IntType:
        case c10::TypeKind::SymIntType: result.kind = Kind::Ints; break;
        case c10::TypeKind::FloatType: result.kind = Kind::Floats; break;
        case c10::TypeKind::BoolType: result.kind = Kind::Bools; break;
        case c10::TypeKind::TensorType: result.kind = Kind::Tensors; break;
        default: break;
      }
      break;
    }
    default: break;
  }
  return result;
}

void bad_argument(const mt_op_s* op, size_t index, const char* why) {
  throw std::invalid_argument(op->handle.schema().name() + ": argument " + std::to_string(index) + " '" + op->arguments[index].name + "' " + why);
}

namespace {

bool is_number(const mt_value& v) { return v.tag == MT_INT || v.tag == MT_DOUBLE || v.tag == MT_BOOL; }
double as_double(const mt_value& v) { return v.tag == MT_DOUBLE ? v.u.d : static_cast<double>(v.u.i); }

c10::Scalar as_scalar(const mt_value& v) {
  switch (v.tag) {
    case MT_INT: return v.u.i;
    case MT_BOOL: return v.u.i != 0;
    case MT_COMPLEX: return c10::complex<double>(v.u.d, v.imag);
    default: return v.u.d;
  }
}

// A number given where a tensor is wanted takes part in type promotion as a Python number would.
at::Tensor wrapped_number(const mt_value& v) {
  auto type = v.tag == MT_DOUBLE ? at::kDouble : v.tag == MT_INT ? at::kLong : at::kBool;
  at::Tensor tensor = at::scalar_tensor(as_scalar(v), at::TensorOptions().device(at::kCPU).dtype(type));
  tensor.unsafeGetTensorImpl()->set_wrapped_number(true);
  return tensor;
}

c10::IValue ints(const Argument& a, const mt_value& v) {
  c10::List<int64_t> list;
  if (v.tag == MT_INT) {
    for (int32_t k = 0; k < std::max(1, a.fixed_length); k++) list.push_back(v.u.i);
    return list;
  }
  list.reserve(v.n);
  for (int32_t k = 0; k < v.n; k++) list.push_back(static_cast<const int64_t*>(v.u.p)[k]);
  return list;
}

c10::IValue floats(const mt_value& v) {
  c10::List<double> list;
  list.reserve(v.n);
  for (int32_t k = 0; k < v.n; k++)
    list.push_back(v.tag == MT_DOUBLES ? static_cast<const double*>(v.u.p)[k] : static_cast<double>(static_cast<const int64_t*>(v.u.p)[k]));
  return list;
}

c10::IValue bools(const mt_value& v) {
  c10::List<bool> list;
  for (int32_t k = 0; k < v.n; k++) list.push_back(static_cast<const uint8_t*>(v.u.p)[k] != 0);
  return list;
}

c10::IValue tensors(const mt_value& v) {
  c10::List<at::Tensor> list;
  list.reserve(v.n);
  for (int32_t k = 0; k < v.n; k++) list.push_back(borrow(static_cast<void**>(v.u.p)[k]));
  return list;
}

c10::IValue optional_tensors(const mt_value& v) {
  c10::List<c10::optional<at::Tensor>> list;
  list.reserve(v.n);
  for (int32_t k = 0; k < v.n; k++) {
    void* handle = static_cast<void**>(v.u.p)[k];
    if (handle) list.push_back(borrow(handle));
    else list.push_back(c10::optional<at::Tensor>());
  }
  return list;
}

}  // namespace

c10::IValue to_ivalue(const mt_op_s* op, size_t index, const mt_value& v) {
  const Argument& a = op->arguments[index];
  if (v.tag == MT_DEFAULT) {
    if (!a.has_default) bad_argument(op, index, "has no default");
    return a.default_value;
  }
  if (v.tag == MT_NONE) {
    if (a.optional) return {};
    if (a.kind == Kind::Tensor) return at::Tensor();
    if (a.has_default) return a.default_value;
    bad_argument(op, index, "may not be None");
  }
  switch (a.kind) {
    case Kind::Tensor:
      if (v.tag == MT_TENSOR) return borrow(v.u.p);
      if (is_number(v)) return wrapped_number(v);
      break;
    case Kind::Int: if (v.tag == MT_INT || v.tag == MT_BOOL) return v.u.i; break;
    case Kind::Float: if (is_number(v)) return as_double(v); break;
    case Kind::Bool: if (v.tag == MT_BOOL || v.tag == MT_INT) return v.u.i != 0; break;
    case Kind::Scalar: if (is_number(v) || v.tag == MT_COMPLEX) return as_scalar(v); break;
    case Kind::String: if (v.tag == MT_STRING) return std::string(static_cast<const char*>(v.u.p), v.n); break;
    case Kind::Device: if (v.tag == MT_DEVICE) return device_of(static_cast<int32_t>(v.u.i), v.n); break;
    case Kind::Generator: if (v.tag == MT_GENERATOR) return *static_cast<at::Generator*>(v.u.p); break;
    case Kind::Ints: if (v.tag == MT_INTS || v.tag == MT_INT) return ints(a, v); break;
    case Kind::Floats: if (v.tag == MT_DOUBLES || v.tag == MT_INTS) return floats(v); break;
    case Kind::Bools: if (v.tag == MT_BOOLS) return bools(v); break;
    case Kind::Tensors: if (v.tag == MT_TENSORS) return tensors(v); break;
    case Kind::OptionalTensors: if (v.tag == MT_TENSORS) return optional_tensors(v); break;
    case Kind::Any: break;
  }
  bad_argument(op, index, "has the wrong kind of value");
}

void from_ivalue(c10::IValue&& value, mt_value& out) {
  out.tag = MT_OTHER;
  out.n = 0;
  out.imag = 0;
  out.u.i = 0;
  if (value.isTensor()) {
    out.u.p = give(std::move(value).toTensor());
    out.tag = out.u.p ? MT_TENSOR : MT_NONE;
  } else if (value.isInt()) {
    out.tag = MT_INT;
    out.u.i = value.toInt();
  } else if (value.isDouble()) {
    out.tag = MT_DOUBLE;
    out.u.d = value.toDouble();
  } else if (value.isBool()) {
    out.tag = MT_BOOL;
    out.u.i = value.toBool();
  } else if (value.isComplexDouble()) {
    auto c = value.toComplexDouble();
    out.tag = MT_COMPLEX;
    out.u.d = c.real();
    out.imag = c.imag();
  } else if (value.isSymInt()) {
    out.tag = MT_INT;
    out.u.i = value.toSymInt().expect_int();
  } else if (value.isTensorList()) {
    auto list = value.toTensorVector();
    auto** handles = static_cast<void**>(malloc(sizeof(void*) * (list.size() + 1)));
    for (size_t k = 0; k < list.size(); k++) handles[k] = give(std::move(list[k]));
    out.tag = MT_TENSORS;
    out.n = static_cast<int32_t>(list.size());
    out.u.p = handles;
  } else if (value.isIntList()) {
    auto list = value.toIntVector();
    auto* numbers = static_cast<int64_t*>(malloc(sizeof(int64_t) * (list.size() + 1)));
    memcpy(numbers, list.data(), sizeof(int64_t) * list.size());
    out.tag = MT_INTS;
    out.n = static_cast<int32_t>(list.size());
    out.u.p = numbers;
  } else if (value.isNone()) {
    out.tag = MT_NONE;
  }
}

}  // namespace mt
