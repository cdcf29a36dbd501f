// Measures what of a page is too pale to read, too small to touch, or wider than the screen.
() => {
  const canvas = document.createElement('canvas').getContext('2d');
  const parse = (colour) => {
    canvas.fillStyle = colour;
    canvas.fillRect(0, 0, 1, 1);
    return [...canvas.getImageData(0, 0, 1, 1).data.slice(0, 3)];
  };
  const light = (colour) => {
    const [r, g, b] = parse(colour).map((each) => each / 255)
      .map((each) => (each <= 0.04045 ? each / 12.92 : ((each + 0.055) / 1.055) ** 2.4));
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const ground = (element) => {
    for (let at = element; at; at = at.parentElement) {
      const colour = getComputedStyle(at).backgroundColor;
      if (colour !== 'rgba(0, 0, 0, 0)') return colour;
    }
    return 'white';
  };
  const visible = (element) => element.checkVisibility() && element.getClientRects().length > 0;
  const pale = [];
  for (const element of document.querySelectorAll('body *')) {
    const says = [...element.childNodes].some((each) => each.nodeType === 3 && each.data.trim());
    if (!says || !visible(element) || element.matches('script, .skip')) continue;
    const [a, b] = [light(getComputedStyle(element).color), light(ground(element))];
    const ratio = (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
    if (ratio < 4.5) pale.push(`${element.tagName} ${element.className} ${element.textContent.trim().slice(0, 20)} ${ratio.toFixed(2)}`);
  }
  const small = [];
  for (const element of document.querySelectorAll('a, button, summary, input, textarea')) {
    if (!visible(element) || element.matches('.skip')) continue;
    const box = element.getBoundingClientRect();
    if (box.height < 47.9 || box.width < 47.9) small.push(`${element.tagName} ${element.textContent.trim().slice(0, 20)} ${box.width}x${box.height}`);
  }
  return { pale, small, over: document.documentElement.scrollWidth - document.documentElement.clientWidth };
}
