// The image with its label map, drawn by NiiVue; pictures that the service drew stand in where there is no viewer or no WebGL 2.

const bodyLabel = 200;
// NIfTI's code of label maps, by which NiiVue draws each voxel in its own label's colour.
const labelIntent = 1002;
let viewer = null;
let addresses = [];
let names = new Map();

// Hues a golden angle apart, so that neighbouring codes differ.
function colour(code) {
  const [hue, saturation, lightness] = [(code * 137.508) % 360, 0.8, code % 2 ? 0.55 : 0.68];
  const part = (n) => {
    const k = (n + hue / 30) % 12;
    return Math.round(255 * (lightness - saturation * Math.min(lightness, 1 - lightness) * Math.max(-1, Math.min(k - 3, 9 - k, 1))));
  };
  return [part(0), part(8), part(4)];
}

// Neither the background nor the body, which everything lies in, is drawn.
function colours(codes) {
  const table = { R: [0], G: [0], B: [0], A: [0], I: [0], labels: ["background"] };
  for (const code of codes) {
    const [red, green, blue] = colour(code);
    table.R.push(red); table.G.push(green); table.B.push(blue);
    table.A.push(code === bodyLabel ? 0 : 255);
    table.I.push(code);
    table.labels.push(names.get(code));
  }
  return table;
}

async function open(canvas, onPlace) {
  if (viewer) return viewer;
  const { Niivue } = await import("./niivue.js");
  if (!document.createElement("canvas").getContext("webgl2")) throw new Error("this browser has no WebGL 2");
  const made = new Niivue({ backColor: [0, 0, 0, 1], crosshairColor: [0.25, 0.75, 1, 0.8], fontColor: [0.8, 0.8, 0.8, 1], loadingText: "", dragAndDropEnabled: false });
  made.onLocationChange = ({ mm, values }) => {
    const labels = values.findIndex((_, i) => made.volumes[i]?.colormapLabel);
    const parts = values.map(({ value }, i) => (i === labels ? names.get(value) ?? "background" : Math.round(value)));
    onPlace(`${[...mm].slice(0, 3).map((v) => v.toFixed(1)).join(", ")} mm: ${parts.join(", ")}`);
  };
  await made.attachToCanvas(canvas);
  viewer = made;
  return made;
}

/**
 * Shows an image, a label map, or both; throws where the browser cannot.
 * @returns the labels that are drawn: name and colour.
 */
export async function show(canvas, image, labels, named, onPlace) {
  const nv = await open(canvas, onPlace);
  addresses.forEach((address) => URL.revokeObjectURL(address));
  addresses = [image, labels].map((blob) => (blob ? URL.createObjectURL(blob) : ""));
  const volumes = [];
  if (image) volumes.push({ url: addresses[0], name: "image.nii.gz", colormap: "gray" });
  if (labels) volumes.push({ url: addresses[1], name: "label.nii.gz", opacity: image ? 0.5 : 1 });
  await nv.loadVolumes(volumes);
  // A line of about two pixels: its width is counted in voxels.
  nv.setCrosshairWidth(Math.max(...nv.volumes[0].hdr.dims.slice(1, 4)) / 250);
  if (!labels) return [];
  const map = nv.volumes[nv.volumes.length - 1];
  const codes = [...new Set(map.img)].filter((code) => code > 0).sort((a, b) => a - b);
  const known = new Map(Object.entries(named).map(([name, code]) => [code, name]));
  names = new Map(codes.map((code) => [code, known.get(code) ?? `label ${code}`]));
  map.hdr.intent_code = labelIntent;
  map.setColormapLabel(colours(codes));
  nv.updateGLVolume();
  return codes.filter((code) => code !== bodyLabel).map((code) => ({ name: names.get(code), colour: `rgb(${colour(code).join(" ")})` }));
}

/** 0 axial, 1 coronal, 2 sagittal, 3 all planes, 4 rendering. */
export const setPlane = (plane) => viewer?.setSliceType(plane);

/** How strongly label maps are drawn over the image, 0 to 1. */
export const setOpacity = (opacity) => viewer?.volumes.length > 1 && viewer.setOpacity(1, opacity);

/** Lowest and highest intensity, [-160, 240] for instance; null takes the image's own range. */
export function setWindow(range) {
  const volume = viewer?.volumes[0];
  if (!volume || volume.colormapLabel) return;
  [volume.cal_min, volume.cal_max] = range ?? [volume.robust_min, volume.robust_max];
  viewer.updateGLVolume();
}

/** Moves the cross by voxels. */
export const move = (x, y, z) => viewer?.moveCrosshairInVox(x, y, z);
