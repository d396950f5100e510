#include "shim.h"

#include <string>

namespace mt {
namespace {
thread_local std::string last_error;
thread_local int last_kind = 0;
thread_local std::string kept_text;
}  // namespace

void fail(int kind, const char* what) {
  last_kind = kind;
  last_error = what ? what : "";
}
void fail(int kind, const std::string& what) { fail(kind, what.c_str()); }

const char* keep_text(std::string text) {
  kept_text = std::move(text);
  return kept_text.c_str();
}
}  // namespace mt

extern "C" {
int32_t mt_abi_version(void) { return MT_ABI_VERSION; }
const char* mt_version(void) { return TORCH_VERSION; }
const char* mt_last_error(int32_t* kind) {
  if (kind) *kind = mt::last_kind;
  return mt::last_error.c_str();
}
}
