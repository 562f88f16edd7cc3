"""Two journals into one."""
