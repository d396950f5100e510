// Conversion between mt_value and IValue, guided by what the operator's schema asks for.
#pragma once
#include "shim.h"

#include <ATen/core/dispatch/Dispatcher.h>
#include <ATen/core/ivalue.h>

#include <string>
#include <vector>

namespace mt {

// What an argument's schema type wants, decided once per operator.
enum class Kind : uint8_t { Any, Tensor, Int, Float, Bool, Scalar, Ints, Floats, Bools, Tensors, OptionalTensors, String, Device, Generator };

struct Argument {
  Kind kind = Kind::Any;
  bool optional = false;
  bool has_default = false;
  int32_t fixed_length = 0;   // int[3]: a single int stands for three
  c10::IValue default_value;
  std::string name;
};

Argument classify(const c10::Argument& argument);
c10::IValue to_ivalue(const mt_op_s* op, size_t index, const mt_value& value);
void from_ivalue(c10::IValue&& value, mt_value& out);
[[noreturn]] void bad_argument(const mt_op_s* op, size_t index, const char* why);

}  // namespace mt

struct mt_op_s {
  c10::OperatorHandle handle;
  std::vector<mt::Argument> arguments;
  size_t result_count = 0;
  explicit mt_op_s(c10::OperatorHandle h) : handle(std::move(h)) {}
};
