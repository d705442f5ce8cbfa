/** An icon of @mdi/js by its path. */
import SvgIcon, { type SvgIconProps } from "@mui/material/SvgIcon";

export function Icon({ path, ...rest }: { path: string } & SvgIconProps) {
  return (
    <SvgIcon {...rest}>
      <path d={path} />
    </SvgIcon>
  );
}
