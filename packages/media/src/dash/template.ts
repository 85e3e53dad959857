/** What the identifiers of a template stand for. ISO/IEC 23009-1 §5.3.9.4.4. */
export interface TemplateValues {
  readonly representationId: string;
  readonly number?: number;
  readonly time?: number;
  readonly bandwidth?: number;
}

/** The address that a template gives; `%0Nd` pads with zeros, `$$` is a dollar sign. */
export function fillTemplate(template: string, values: TemplateValues): string {
  return template.replace(
    /\$(RepresentationID|Number|Time|Bandwidth)?(?:%0(\d{1,2})d)?\$/g,
    (whole, name: string | undefined, width: string | undefined) => {
      if (name === undefined) return width === undefined ? '$' : whole;
      if (name === 'RepresentationID') return width === undefined ? values.representationId : whole;
      const value = { Number: values.number, Time: values.time, Bandwidth: values.bandwidth }[name];
      return value === undefined ? whole : String(value).padStart(Number(width ?? 1), '0');
    },
  );
}
