#define PD_IN_MACRO(a) pd_used_by_macro(a)
int pd_used_by_macro(int a);
int pd_lonely(int a);
int pd_seam(int a);
int pd_dead(int a);
int pd_only_tested(int a);
