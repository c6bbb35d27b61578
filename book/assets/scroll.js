// A formula that is wider than the screen can be scrolled with the keyboard, too; the theme does
// the same for code and tables.
{
  const observer = new ResizeObserver((entries) => {
    for (const { target } of entries) {
      if (target.scrollWidth > target.clientWidth) target.tabIndex = 0;
      else target.removeAttribute("tabindex");
    }
  });
  document.querySelectorAll("div.math").forEach((formula) => observer.observe(formula));
}
