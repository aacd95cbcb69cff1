@1201 int pd_v#(void);
static const int table[] = {
@900     #,
};
