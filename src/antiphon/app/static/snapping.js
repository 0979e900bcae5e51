// Where a song is put so that a beat falls on a cut, or pictures so that a cut falls on a beat.
// The other one is at `shift` seconds when the item is at its start, so a mark m of the other and the place r of the
// item meet where shift = m - r.

/** The value nearest to x in an ascending list; undefined in an empty one. */
export function nearest(values, x) {
  let [low, high] = [0, values.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (values[middle] < x) low = middle + 1;
    else high = middle;
  }
  const [before, after] = [values[low - 1], values[low]];
  if (before === undefined) return after;
  return after === undefined || x - before <= after - x ? before : after;
}

/** The place of the item at which marks of the other should fall: its mark nearest to the playhead, or the playhead. */
export const placeToMeet = (own, playhead) => nearest(own, playhead) ?? playhead;

/** The shift nearest to the given one at which a mark of the other falls on the place, if that is near enough. */
export function snapped(shift, marks, place, withinS) {
  const mark = nearest(marks, shift + place);
  return mark !== undefined && Math.abs(mark - place - shift) <= withinS ? mark - place : shift;
}

/** The next shift in a direction at which a mark of the other falls on the place; undefined where there is none. */
export function stepped(shift, direction, marks, place) {
  const at = shift + place;
  const ahead = marks.filter((mark) => direction * (mark - at) > 0.005);
  const mark = direction > 0 ? ahead[0] : ahead[ahead.length - 1];
  return mark === undefined ? undefined : mark - place;
}
