// The image with its label map, drawn by NiiVue; pictures that the service drew stand in where there is no viewer or no WebGL 2.

const bodyLabel = 200;
let viewer = null;
let addresses = [];

// Colours that differ for neighbouring codes; the background and the body are not drawn.
function colours(labels) {
  const table = { R: [0], G: [0], B: [0], A: [0], I: [0], labels: ["background"] };
  const names = new Map(Object.entries(labels).map(([name, code]) => [code, name]));
  for (let code = 1; code < 256; code++) {
    const part = (shift) => Math.round(127 + 127 * Math.cos(2.399963 * code + shift));
    table.R.push(part(0)); table.G.push(part(2.1)); table.B.push(part(4.2));
    table.A.push(code === bodyLabel ? 0 : 255);
    table.I.push(code);
    table.labels.push(names.get(code) ?? `label ${code}`);
  }
  return table;
}

async function open(canvas, onPlace) {
  if (viewer) return viewer;
  const { Niivue } = await import("./niivue.js");
  if (!document.createElement("canvas").getContext("webgl2")) throw new Error("this browser has no WebGL 2");
  const made = new Niivue({ backColor: [0, 0, 0, 1], loadingText: "", dragAndDropEnabled: false, isNearestInterpolation: true, isSliceMM: false });
  made.onLocationChange = (data) => onPlace(data.string);
  await made.attachToCanvas(canvas);
  viewer = made;
  return made;
}

/** Shows an image, a label map, or both; throws where the browser cannot. */
export async function show(canvas, image, labels, names, onPlace) {
  const nv = await open(canvas, onPlace);
  addresses.forEach((address) => URL.revokeObjectURL(address));
  addresses = [image, labels].map((blob) => (blob ? URL.createObjectURL(blob) : ""));
  const volumes = [];
  if (image) volumes.push({ url: addresses[0], name: "image.nii.gz", colormap: "gray" });
  if (labels) volumes.push({ url: addresses[1], name: "label.nii.gz", opacity: image ? 0.4 : 1 });
  await nv.loadVolumes(volumes);
  if (labels) {
    nv.volumes[nv.volumes.length - 1].setColormapLabel(colours(names));
    nv.updateGLVolume();
  }
  nv.setSliceType(3);
}

/** 0 axial, 1 coronal, 2 sagittal, 3 all planes, 4 rendering. */
export const setPlane = (plane) => viewer?.setSliceType(plane);

/** How strongly label maps are drawn over the image, 0 to 1. */
export const setOpacity = (opacity) => viewer?.volumes.length > 1 && viewer.setOpacity(1, opacity);

/** Moves the cross by voxels. */
export const move = (x, y, z) => viewer?.moveCrosshairInVox(x, y, z);
