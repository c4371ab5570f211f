/** Header, banners and content share their edges, however wide the window is. */
export const PAGE_WIDTH = "mx-auto w-full max-w-[88rem] px-3 sm:px-6";
