namespace Maisi.Bridge.Runtime;
