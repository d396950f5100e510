// Operators by name: resolved once, then called boxed.
#include "values.h"

#include <mutex>
#include <unordered_map>

namespace {
std::mutex table_lock;
std::unordered_map<std::string, mt_op_s*> table;
}  // namespace

extern "C" {
mt_op mt_op_find(const char* name, const char* overload) {
  MT_TRY
  const std::string key = std::string(name) + "." + overload;
  std::lock_guard<std::mutex> guard(table_lock);
  auto found = table.find(key);
  if (found != table.end()) return found->second;
  auto handle = c10::Dispatcher::singleton().findSchema({name, overload});
  if (!handle.has_value()) {
    mt::fail(MT_E_NO_OPERATOR, "libtorch " TORCH_VERSION " has no operator " + (*overload ? key : std::string(name)));
    return nullptr;
  }
  auto* op = new mt_op_s(*handle);
  for (auto& argument : op->handle.schema().arguments()) op->arguments.push_back(mt::classify(argument));
  op->result_count = op->handle.schema().returns().size();
  return table[key] = op;
  MT_CATCH(nullptr)
}

const char* mt_op_schema(mt_op op) {
  MT_TRY
  return mt::keep_text(c10::toString(op->handle.schema()));
  MT_CATCH(nullptr)
}

int32_t mt_op_call(mt_op op, const mt_value* args, int32_t nargs, mt_value* outs, int32_t nouts) {
  MT_TRY
  const size_t wanted = op->arguments.size();
  if (static_cast<size_t>(nargs) > wanted) throw std::invalid_argument("too many arguments for " + op->handle.schema().name());
  torch::jit::Stack stack;
  stack.reserve(std::max(wanted, op->result_count));
  for (size_t i = 0; i < wanted; i++) {
    if (static_cast<int32_t>(i) < nargs) {
      stack.push_back(mt::to_ivalue(op, i, args[i]));
    } else {
      if (!op->arguments[i].has_default) mt::bad_argument(op, i, "is missing");
      stack.push_back(op->arguments[i].default_value);
    }
  }
  op->handle.callBoxed(&stack);
  const int32_t results = std::min<int32_t>(static_cast<int32_t>(stack.size()), nouts);
  for (int32_t i = 0; i < results; i++) mt::from_ivalue(std::move(stack[i]), outs[i]);
  for (int32_t i = results; i < nouts; i++) outs[i] = mt_value{MT_NONE, 0, {0}, 0};
  return 0;
  MT_CATCH(1)
}

void mt_free(void* p) { free(p); }
}
